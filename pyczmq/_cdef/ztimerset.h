/* ztimerset: sets of timers */

/* draft */
typedef void (ztimerset_fn) (int timer_id, void *arg);

ztimerset_t *ztimerset_new (void);
void ztimerset_destroy (ztimerset_t **self_p);
int ztimerset_add (ztimerset_t *self, size_t interval, ztimerset_fn handler, void *arg);
int ztimerset_cancel (ztimerset_t *self, int timer_id);
int ztimerset_set_interval (ztimerset_t *self, int timer_id, size_t interval);
int ztimerset_reset (ztimerset_t *self, int timer_id);
int ztimerset_timeout (ztimerset_t *self);
int ztimerset_execute (ztimerset_t *self);
void ztimerset_test (bool verbose);

/* zloop: an event-driven reactor for sockets, descriptors and timers */

typedef int (zloop_reader_fn) (zloop_t *loop, zsock_t *reader, void *arg);
typedef int (zloop_fn) (zloop_t *loop, zmq_pollitem_t *item, void *arg);
typedef int (zloop_timer_fn) (zloop_t *loop, int timer_id, void *arg);

zloop_t *zloop_new (void);
void zloop_destroy (zloop_t **self_p);
int zloop_reader (zloop_t *self, zsock_t *sock, zloop_reader_fn handler, void *arg);
void zloop_reader_end (zloop_t *self, zsock_t *sock);
void zloop_reader_set_tolerant (zloop_t *self, zsock_t *sock);
int zloop_poller (zloop_t *self, zmq_pollitem_t *item, zloop_fn handler, void *arg);
void zloop_poller_end (zloop_t *self, zmq_pollitem_t *item);
void zloop_poller_set_tolerant (zloop_t *self, zmq_pollitem_t *item);
int zloop_timer (zloop_t *self, size_t delay, size_t times, zloop_timer_fn handler, void *arg);
int zloop_timer_end (zloop_t *self, int timer_id);
void *zloop_ticket (zloop_t *self, zloop_timer_fn handler, void *arg);
void zloop_ticket_reset (zloop_t *self, void *handle);
void zloop_ticket_delete (zloop_t *self, void *handle);
void zloop_set_ticket_delay (zloop_t *self, size_t ticket_delay);
void zloop_set_max_timers (zloop_t *self, size_t max_timers);
void zloop_set_verbose (zloop_t *self, bool verbose);
void zloop_set_nonstop (zloop_t *self, bool nonstop);
int zloop_start (zloop_t *self);
void zloop_test (bool verbose);

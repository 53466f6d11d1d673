/* renamed: functions that CZMQ 4 dropped or kept as macros only, in classes that it has still */

/* retired */
typedef int (zhash_foreach_fn) (const char *key, void *item, void *argument);

void zcert_dump (zcert_t *self);
void zcertstore_dump (zcertstore_t *self);
void zconfig_dump (zconfig_t *self);
char *zconfig_resolve (zconfig_t *self, const char *path, const char *default_value);
void zconfig_set_path (zconfig_t *self, const char *path, const char *value);
void zdir_dump (zdir_t *self, int indent);
void zframe_print_to_stream (zframe_t *self, const char *prefix, FILE *file);
int zhash_foreach (zhash_t *self, zhash_foreach_fn *callback, void *argument);
void zloop_ignore_interrupts (zloop_t *self);
void zloop_set_tolerant (zloop_t *self, zmq_pollitem_t *item);
void zmsg_dump (zmsg_t *self);
void zmsg_dump_to_stream (zmsg_t *self, FILE *file);
void zpoller_ignore_interrupts (zpoller_t *self);

/* zactor: actors: threads with a message pipe to their creator */

typedef void (zactor_fn) (zsock_t *pipe, void *args);

zactor_t *zactor_new (zactor_fn task, void *args);
void zactor_destroy (zactor_t **self_p);
int zactor_send (zactor_t *self, zmsg_t **msg_p);
zmsg_t *zactor_recv (zactor_t *self);
bool zactor_is (void *self);
void *zactor_resolve (void *self);
zsock_t *zactor_sock (zactor_t *self);
void zactor_test (bool verbose);

/* draft */
typedef void (zactor_destructor_fn) (zactor_t *self);

void zactor_set_destructor (zactor_t *self, zactor_destructor_fn destructor);

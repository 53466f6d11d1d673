/* zhttp_server: an HTTP server */

/* draft */
zhttp_server_t *zhttp_server_new (zhttp_server_options_t *options);
void zhttp_server_destroy (zhttp_server_t **self_p);
int zhttp_server_port (zhttp_server_t *self);
void zhttp_server_test (bool verbose);

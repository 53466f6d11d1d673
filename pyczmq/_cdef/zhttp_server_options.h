/* zhttp_server_options: settings of an HTTP server */

/* draft */
zhttp_server_options_t *zhttp_server_options_new (void);
zhttp_server_options_t *zhttp_server_options_from_config (zconfig_t *config);
void zhttp_server_options_destroy (zhttp_server_options_t **self_p);
int zhttp_server_options_port (zhttp_server_options_t *self);
void zhttp_server_options_set_port (zhttp_server_options_t *self, int port);
const char *zhttp_server_options_backend_address (zhttp_server_options_t *self);
void zhttp_server_options_set_backend_address (zhttp_server_options_t *self, const char *address);
void zhttp_server_options_test (bool verbose);

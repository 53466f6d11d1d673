/* zhttp_response: HTTP responses */

/* draft */
zhttp_response_t *zhttp_response_new (void);
void zhttp_response_destroy (zhttp_response_t **self_p);
int zhttp_response_send (zhttp_response_t *self, zsock_t *sock, void **connection);
int zhttp_response_recv (zhttp_response_t *self, zhttp_client_t *client, void **arg, void **arg2);
const char *zhttp_response_content_type (zhttp_response_t *self);
void zhttp_response_set_content_type (zhttp_response_t *self, const char *value);
uint32_t zhttp_response_status_code (zhttp_response_t *self);
void zhttp_response_set_status_code (zhttp_response_t *self, uint32_t status_code);
zhash_t *zhttp_response_headers (zhttp_response_t *self);
size_t zhttp_response_content_length (zhttp_response_t *self);
const char *zhttp_response_content (zhttp_response_t *self);
char *zhttp_response_get_content (zhttp_response_t *self);
void zhttp_response_set_content (zhttp_response_t *self, char **content);
void zhttp_response_set_content_const (zhttp_response_t *self, const char *content);
void zhttp_response_reset_content (zhttp_response_t *self);
void zhttp_response_test (bool verbose);

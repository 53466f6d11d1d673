/* zhttp_request: HTTP requests */

/* draft */
zhttp_request_t *zhttp_request_new (void);
void zhttp_request_destroy (zhttp_request_t **self_p);
void *zhttp_request_recv (zhttp_request_t *self, zsock_t *sock);
int zhttp_request_send (zhttp_request_t *self, zhttp_client_t *client, int timeout, void *arg, void *arg2);
const char *zhttp_request_method (zhttp_request_t *self);
void zhttp_request_set_method (zhttp_request_t *self, const char *method);
const char *zhttp_request_url (zhttp_request_t *self);
void zhttp_request_set_url (zhttp_request_t *self, const char *url);
const char *zhttp_request_content_type (zhttp_request_t *self);
void zhttp_request_set_content_type (zhttp_request_t *self, const char *content_type);
size_t zhttp_request_content_length (zhttp_request_t *self);
zhash_t *zhttp_request_headers (zhttp_request_t *self);
const char *zhttp_request_content (zhttp_request_t *self);
char *zhttp_request_get_content (zhttp_request_t *self);
void zhttp_request_set_content (zhttp_request_t *self, char **content);
void zhttp_request_set_content_const (zhttp_request_t *self, const char *content);
void zhttp_request_reset_content (zhttp_request_t *self);
bool zhttp_request_match (zhttp_request_t *self, const char *method, const char *path, ...);
void zhttp_request_test (bool verbose);

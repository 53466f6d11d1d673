/* zhttp_client: an HTTP client */

/* draft */
zhttp_client_t *zhttp_client_new (bool verbose);
void zhttp_client_destroy (zhttp_client_t **self_p);
void zhttp_client_test (bool verbose);

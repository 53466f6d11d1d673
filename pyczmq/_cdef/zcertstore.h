/* zcertstore: stores of CURVE certificates */

zcertstore_t *zcertstore_new (const char *location);
void zcertstore_destroy (zcertstore_t **self_p);
zcert_t *zcertstore_lookup (zcertstore_t *self, const char *public_key);
void zcertstore_insert (zcertstore_t *self, zcert_t **cert_p);
void zcertstore_print (zcertstore_t *self);
void zcertstore_test (bool verbose);

/* draft */
typedef void (zcertstore_loader) (zcertstore_t *self);
typedef void (zcertstore_destructor) (void **self_p);

void zcertstore_set_loader (zcertstore_t *self, zcertstore_loader loader, zcertstore_destructor destructor, void *state);
void zcertstore_empty (zcertstore_t *self);
zlistx_t *zcertstore_certs (zcertstore_t *self);
void *zcertstore_state (zcertstore_t *self);

/* zdigest: SHA-1 digests */

zdigest_t *zdigest_new (void);
void zdigest_destroy (zdigest_t **self_p);
void zdigest_update (zdigest_t *self, const byte *buffer, size_t length);
const byte *zdigest_data (zdigest_t *self);
size_t zdigest_size (zdigest_t *self);
char *zdigest_string (zdigest_t *self);
void zdigest_test (bool verbose);

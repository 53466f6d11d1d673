/* zcert: CURVE security certificates */

zcert_t *zcert_new (void);
zcert_t *zcert_new_from (const byte *public_key, const byte *secret_key);
zcert_t *zcert_load (const char *filename);
void zcert_destroy (zcert_t **self_p);
const byte *zcert_public_key (zcert_t *self);
const byte *zcert_secret_key (zcert_t *self);
const char *zcert_public_txt (zcert_t *self);
const char *zcert_secret_txt (zcert_t *self);
void zcert_set_meta (zcert_t *self, const char *name, const char *format, ...);
const char *zcert_meta (zcert_t *self, const char *name);
zlist_t *zcert_meta_keys (zcert_t *self);
int zcert_save (zcert_t *self, const char *filename);
int zcert_save_public (zcert_t *self, const char *filename);
int zcert_save_secret (zcert_t *self, const char *filename);
void zcert_apply (zcert_t *self, void *socket);
zcert_t *zcert_dup (zcert_t *self);
bool zcert_eq (zcert_t *self, zcert_t *compare);
void zcert_print (zcert_t *self);
void zcert_test (bool verbose);

/* draft */
zcert_t *zcert_new_from_txt (const char *public_txt, const char *secret_txt);
void zcert_unset_meta (zcert_t *self, const char *name);

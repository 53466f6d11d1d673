/* zchunk: chunks of memory */

zchunk_t *zchunk_new (const void *data, size_t size);
void zchunk_destroy (zchunk_t **self_p);
void zchunk_resize (zchunk_t *self, size_t size);
size_t zchunk_size (zchunk_t *self);
size_t zchunk_max_size (zchunk_t *self);
byte *zchunk_data (zchunk_t *self);
size_t zchunk_set (zchunk_t *self, const void *data, size_t size);
size_t zchunk_fill (zchunk_t *self, byte filler, size_t size);
size_t zchunk_append (zchunk_t *self, const void *data, size_t size);
size_t zchunk_extend (zchunk_t *self, const void *data, size_t size);
size_t zchunk_consume (zchunk_t *self, zchunk_t *source);
bool zchunk_exhausted (zchunk_t *self);
zchunk_t *zchunk_read (FILE *handle, size_t bytes);
int zchunk_write (zchunk_t *self, FILE *handle);
zchunk_t *zchunk_slurp (const char *filename, size_t maxsize);
zchunk_t *zchunk_dup (zchunk_t *self);
char *zchunk_strhex (zchunk_t *self);
char *zchunk_strdup (zchunk_t *self);
bool zchunk_streq (zchunk_t *self, const char *string);
zframe_t *zchunk_pack (zchunk_t *self);
zchunk_t *zchunk_unpack (zframe_t *frame);
const char *zchunk_digest (zchunk_t *self);
void zchunk_fprint (zchunk_t *self, FILE *file);
void zchunk_print (zchunk_t *self);
bool zchunk_is (void *self);
void zchunk_test (bool verbose);

/* draft */
typedef void (zchunk_destructor_fn) (void **hint);

zchunk_t *zchunk_frommem (void *data, size_t size, zchunk_destructor_fn destructor, void *hint);
zframe_t *zchunk_packx (zchunk_t **self_p);

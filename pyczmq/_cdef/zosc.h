/* zosc: messages of Open Sound Control */

/* draft */
zosc_t *zosc_new (const char *address);
zosc_t *zosc_fromframe (zframe_t *frame);
zosc_t *zosc_frommem (char *data, size_t size);
zosc_t *zosc_create (const char *address, const char *format, ...);
void zosc_destroy (zosc_t **self_p);
size_t zosc_size (zosc_t *self);
byte *zosc_data (zosc_t *self);
const char *zosc_address (zosc_t *self);
const char *zosc_format (zosc_t *self);
int zosc_append (zosc_t *self, const char *format, ...);
int zosc_retr (zosc_t *self, const char *format, ...);
zosc_t *zosc_dup (zosc_t *self);
zframe_t *zosc_pack (zosc_t *self);
zframe_t *zosc_packx (zosc_t **self_p);
zosc_t *zosc_unpack (zframe_t *frame);
void zosc_print (zosc_t *self);
bool zosc_is (void *self);
const void *zosc_first (zosc_t *self, char *type);
const void *zosc_next (zosc_t *self, char *type);
const void *zosc_last (zosc_t *self, char *type);
int zosc_pop_int32 (zosc_t *self, int *val);
int zosc_pop_int64 (zosc_t *self, int64_t *val);
int zosc_pop_float (zosc_t *self, float *val);
int zosc_pop_double (zosc_t *self, double *val);
int zosc_pop_string (zosc_t *self, char **val);
int zosc_pop_char (zosc_t *self, char *val);
int zosc_pop_bool (zosc_t *self, bool *val);
int zosc_pop_midi (zosc_t *self, uint32_t *val);
void zosc_test (bool verbose);

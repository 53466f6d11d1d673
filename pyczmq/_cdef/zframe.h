/* zframe: single message frames */

#define ZFRAME_MORE 1
#define ZFRAME_REUSE 2
#define ZFRAME_DONTWAIT 4

zframe_t *zframe_new (const void *data, size_t size);
zframe_t *zframe_new_empty (void);
zframe_t *zframe_from (const char *string);
zframe_t *zframe_recv (void *source);
void zframe_destroy (zframe_t **self_p);
int zframe_send (zframe_t **self_p, void *dest, int flags);
size_t zframe_size (zframe_t *self);
byte *zframe_data (zframe_t *self);
const char *zframe_meta (zframe_t *self, const char *property);
zframe_t *zframe_dup (zframe_t *self);
char *zframe_strhex (zframe_t *self);
char *zframe_strdup (zframe_t *self);
bool zframe_streq (zframe_t *self, const char *string);
int zframe_more (zframe_t *self);
void zframe_set_more (zframe_t *self, int more);
bool zframe_eq (zframe_t *self, zframe_t *other);
void zframe_reset (zframe_t *self, const void *data, size_t size);
void zframe_print (zframe_t *self, const char *prefix);
bool zframe_is (void *self);
void zframe_test (bool verbose);
zframe_t *zframe_recv_nowait (void *source);
void zframe_fprint (zframe_t *self, const char *prefix, FILE *file);

/* draft */
typedef void (zframe_destructor_fn) (void **hint);

zframe_t *zframe_frommem (void *data, size_t size, zframe_destructor_fn destructor, void *hint);
uint32_t zframe_routing_id (zframe_t *self);
void zframe_set_routing_id (zframe_t *self, uint32_t routing_id);
const char *zframe_group (zframe_t *self);
int zframe_set_group (zframe_t *self, const char *group);
void zframe_print_n (zframe_t *self, const char *prefix, size_t length);

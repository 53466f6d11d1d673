/* zhashx: hash tables with any keys and items */

typedef void (zhashx_destructor_fn) (void **item);
typedef void *(zhashx_duplicator_fn) (const void *item);
typedef int (zhashx_comparator_fn) (const void *item1, const void *item2);
typedef void (zhashx_free_fn) (void *data);
typedef size_t (zhashx_hash_fn) (const void *key);
typedef char *(zhashx_serializer_fn) (const void *item);
typedef void *(zhashx_deserializer_fn) (const char *item_str);

zhashx_t *zhashx_new (void);
zhashx_t *zhashx_unpack (zframe_t *frame);
void zhashx_destroy (zhashx_t **self_p);
int zhashx_insert (zhashx_t *self, const void *key, void *item);
void zhashx_update (zhashx_t *self, const void *key, void *item);
void zhashx_delete (zhashx_t *self, const void *key);
void zhashx_purge (zhashx_t *self);
void *zhashx_lookup (zhashx_t *self, const void *key);
int zhashx_rename (zhashx_t *self, const void *old_key, const void *new_key);
void *zhashx_freefn (zhashx_t *self, const void *key, zhashx_free_fn free_fn);
size_t zhashx_size (zhashx_t *self);
zlistx_t *zhashx_keys (zhashx_t *self);
zlistx_t *zhashx_values (zhashx_t *self);
void *zhashx_first (zhashx_t *self);
void *zhashx_next (zhashx_t *self);
const void *zhashx_cursor (zhashx_t *self);
void zhashx_comment (zhashx_t *self, const char *format, ...);
int zhashx_save (zhashx_t *self, const char *filename);
int zhashx_load (zhashx_t *self, const char *filename);
int zhashx_refresh (zhashx_t *self);
zframe_t *zhashx_pack (zhashx_t *self);
zhashx_t *zhashx_dup (zhashx_t *self);
void zhashx_set_destructor (zhashx_t *self, zhashx_destructor_fn destructor);
void zhashx_set_duplicator (zhashx_t *self, zhashx_duplicator_fn duplicator);
void zhashx_set_key_destructor (zhashx_t *self, zhashx_destructor_fn destructor);
void zhashx_set_key_duplicator (zhashx_t *self, zhashx_duplicator_fn duplicator);
void zhashx_set_key_comparator (zhashx_t *self, zhashx_comparator_fn comparator);
void zhashx_set_key_hasher (zhashx_t *self, zhashx_hash_fn hasher);
zhashx_t *zhashx_dup_v2 (zhashx_t *self);
void zhashx_test (bool verbose);

/* draft */
zhashx_t *zhashx_unpack_own (zframe_t *frame, zhashx_deserializer_fn deserializer);
zframe_t *zhashx_pack_own (zhashx_t *self, zhashx_serializer_fn serializer);

/* zlistx: lists with destructors, comparators and handles */

typedef void (zlistx_destructor_fn) (void **item);
typedef void *(zlistx_duplicator_fn) (const void *item);
typedef int (zlistx_comparator_fn) (const void *item1, const void *item2);

zlistx_t *zlistx_new (void);
void zlistx_destroy (zlistx_t **self_p);
void *zlistx_add_start (zlistx_t *self, void *item);
void *zlistx_add_end (zlistx_t *self, void *item);
size_t zlistx_size (zlistx_t *self);
void *zlistx_head (zlistx_t *self);
void *zlistx_tail (zlistx_t *self);
void *zlistx_first (zlistx_t *self);
void *zlistx_next (zlistx_t *self);
void *zlistx_prev (zlistx_t *self);
void *zlistx_last (zlistx_t *self);
void *zlistx_item (zlistx_t *self);
void *zlistx_cursor (zlistx_t *self);
void *zlistx_handle_item (void *handle);
void *zlistx_find (zlistx_t *self, void *item);
void *zlistx_detach (zlistx_t *self, void *handle);
void *zlistx_detach_cur (zlistx_t *self);
int zlistx_delete (zlistx_t *self, void *handle);
void zlistx_move_start (zlistx_t *self, void *handle);
void zlistx_move_end (zlistx_t *self, void *handle);
void zlistx_purge (zlistx_t *self);
void zlistx_sort (zlistx_t *self);
void *zlistx_insert (zlistx_t *self, void *item, bool low_value);
void zlistx_reorder (zlistx_t *self, void *handle, bool low_value);
zlistx_t *zlistx_dup (zlistx_t *self);
void zlistx_set_destructor (zlistx_t *self, zlistx_destructor_fn destructor);
void zlistx_set_duplicator (zlistx_t *self, zlistx_duplicator_fn duplicator);
void zlistx_set_comparator (zlistx_t *self, zlistx_comparator_fn comparator);
void zlistx_test (bool verbose);

/* draft */
zlistx_t *zlistx_unpack (zframe_t *frame);
zframe_t *zlistx_pack (zlistx_t *self);

/* zlist: lists */

typedef int (zlist_compare_fn) (void *item1, void *item2);
typedef void (zlist_free_fn) (void *data);

zlist_t *zlist_new (void);
void zlist_destroy (zlist_t **self_p);
void *zlist_first (zlist_t *self);
void *zlist_next (zlist_t *self);
void *zlist_last (zlist_t *self);
void *zlist_head (zlist_t *self);
void *zlist_tail (zlist_t *self);
void *zlist_item (zlist_t *self);
int zlist_append (zlist_t *self, void *item);
int zlist_push (zlist_t *self, void *item);
void *zlist_pop (zlist_t *self);
bool zlist_exists (zlist_t *self, void *item);
void zlist_remove (zlist_t *self, void *item);
zlist_t *zlist_dup (zlist_t *self);
void zlist_purge (zlist_t *self);
size_t zlist_size (zlist_t *self);
void zlist_sort (zlist_t *self, zlist_compare_fn compare);
void zlist_autofree (zlist_t *self);
void zlist_comparefn (zlist_t *self, zlist_compare_fn fn);
void *zlist_freefn (zlist_t *self, void *item, zlist_free_fn fn, bool at_tail);
void zlist_test (bool verbose);

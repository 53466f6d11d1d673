/* ztrie: tries of paths with parameters */

/* draft */
typedef void (ztrie_destroy_data_fn) (void **data);

ztrie_t *ztrie_new (char delimiter);
void ztrie_destroy (ztrie_t **self_p);
int ztrie_insert_route (ztrie_t *self, const char *path, void *data, ztrie_destroy_data_fn destroy_data_fn);
int ztrie_remove_route (ztrie_t *self, const char *path);
bool ztrie_matches (ztrie_t *self, const char *path);
void *ztrie_hit_data (ztrie_t *self);
size_t ztrie_hit_parameter_count (ztrie_t *self);
zhashx_t *ztrie_hit_parameters (ztrie_t *self);
const char *ztrie_hit_asterisk_match (ztrie_t *self);
void ztrie_print (ztrie_t *self);
void ztrie_test (bool verbose);

/* zdir: directory trees */

zdir_t *zdir_new (const char *path, const char *parent);
void zdir_destroy (zdir_t **self_p);
const char *zdir_path (zdir_t *self);
time_t zdir_modified (zdir_t *self);
off_t zdir_cursize (zdir_t *self);
size_t zdir_count (zdir_t *self);
zlist_t *zdir_list (zdir_t *self);
void zdir_remove (zdir_t *self, bool force);
zlist_t *zdir_diff (zdir_t *older, zdir_t *newer, const char *alias);
zlist_t *zdir_resync (zdir_t *self, const char *alias);
zhash_t *zdir_cache (zdir_t *self);
void zdir_fprint (zdir_t *self, FILE *file, int indent);
void zdir_print (zdir_t *self, int indent);
void zdir_watch (zsock_t *pipe, void *unused);
void zdir_test (bool verbose);
zfile_t **zdir_flatten (zdir_t *self);
void zdir_flatten_free (zfile_t ***files_p);

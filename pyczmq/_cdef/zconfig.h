/* zconfig: configuration trees and files in ZPL */

typedef int (zconfig_fct) (zconfig_t *self, void *arg, int level);

zconfig_t *zconfig_new (const char *name, zconfig_t *parent);
zconfig_t *zconfig_load (const char *filename);
zconfig_t *zconfig_loadf (const char *format, ...);
void zconfig_destroy (zconfig_t **self_p);
char *zconfig_name (zconfig_t *self);
char *zconfig_value (zconfig_t *self);
void zconfig_put (zconfig_t *self, const char *path, const char *value);
void zconfig_putf (zconfig_t *self, const char *path, const char *format, ...);
char *zconfig_get (zconfig_t *self, const char *path, const char *default_value);
void zconfig_set_name (zconfig_t *self, const char *name);
void zconfig_set_value (zconfig_t *self, const char *format, ...);
zconfig_t *zconfig_child (zconfig_t *self);
zconfig_t *zconfig_next (zconfig_t *self);
zconfig_t *zconfig_locate (zconfig_t *self, const char *path);
zconfig_t *zconfig_at_depth (zconfig_t *self, int level);
int zconfig_execute (zconfig_t *self, zconfig_fct handler, void *arg);
void zconfig_set_comment (zconfig_t *self, const char *format, ...);
zlist_t *zconfig_comments (zconfig_t *self);
int zconfig_save (zconfig_t *self, const char *filename);
int zconfig_savef (zconfig_t *self, const char *format, ...);
const char *zconfig_filename (zconfig_t *self);
int zconfig_reload (zconfig_t **self_p);
zconfig_t *zconfig_chunk_load (zchunk_t *chunk);
zchunk_t *zconfig_chunk_save (zconfig_t *self);
zconfig_t *zconfig_str_load (const char *string);
char *zconfig_str_save (zconfig_t *self);
bool zconfig_has_changed (zconfig_t *self);
void zconfig_fprint (zconfig_t *self, FILE *file);
void zconfig_print (zconfig_t *self);
void zconfig_test (bool verbose);

/* draft */
zconfig_t *zconfig_dup (zconfig_t *self);
void zconfig_remove_subtree (zconfig_t *self);
void zconfig_remove (zconfig_t **self_p);

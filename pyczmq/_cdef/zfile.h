/* zfile: files */

zfile_t *zfile_new (const char *path, const char *name);
void zfile_destroy (zfile_t **self_p);
zfile_t *zfile_dup (zfile_t *self);
const char *zfile_filename (zfile_t *self, const char *path);
void zfile_restat (zfile_t *self);
time_t zfile_modified (zfile_t *self);
off_t zfile_cursize (zfile_t *self);
bool zfile_is_directory (zfile_t *self);
bool zfile_is_regular (zfile_t *self);
bool zfile_is_readable (zfile_t *self);
bool zfile_is_writeable (zfile_t *self);
bool zfile_is_stable (zfile_t *self);
bool zfile_has_changed (zfile_t *self);
void zfile_remove (zfile_t *self);
int zfile_input (zfile_t *self);
int zfile_output (zfile_t *self);
zchunk_t *zfile_read (zfile_t *self, size_t bytes, off_t offset);
bool zfile_eof (zfile_t *self);
int zfile_write (zfile_t *self, zchunk_t *chunk, off_t offset);
const char *zfile_readln (zfile_t *self);
void zfile_close (zfile_t *self);
FILE *zfile_handle (zfile_t *self);
const char *zfile_digest (zfile_t *self);
void zfile_test (bool verbose);
bool zfile_exists (const char *filename);
ssize_t zfile_size (const char *filename);
mode_t zfile_mode (const char *filename);
int zfile_delete (const char *filename);
bool zfile_stable (const char *filename);
int zfile_mkdir (const char *pathname);
int zfile_rmdir (const char *pathname);
void zfile_mode_private (void);
void zfile_mode_default (void);

/* draft */
zfile_t *zfile_tmp (void);

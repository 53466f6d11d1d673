/* zdir_patch: one difference between two directory trees */

#define ZDIR_PATCH_CREATE 1
#define ZDIR_PATCH_DELETE 2

zdir_patch_t *zdir_patch_new (const char *path, zfile_t *file, int op, const char *alias);
void zdir_patch_destroy (zdir_patch_t **self_p);
zdir_patch_t *zdir_patch_dup (zdir_patch_t *self);
const char *zdir_patch_path (zdir_patch_t *self);
zfile_t *zdir_patch_file (zdir_patch_t *self);
int zdir_patch_op (zdir_patch_t *self);
const char *zdir_patch_vpath (zdir_patch_t *self);
void zdir_patch_digest_set (zdir_patch_t *self);
const char *zdir_patch_digest (zdir_patch_t *self);
void zdir_patch_test (bool verbose);

/* zargs: command line arguments */

/* draft */
zargs_t *zargs_new (int argc, char **argv);
void zargs_destroy (zargs_t **self_p);
const char *zargs_progname (zargs_t *self);
size_t zargs_arguments (zargs_t *self);
const char *zargs_first (zargs_t *self);
const char *zargs_next (zargs_t *self);
const char *zargs_param_first (zargs_t *self);
const char *zargs_param_next (zargs_t *self);
const char *zargs_param_name (zargs_t *self);
const char *zargs_get (zargs_t *self, const char *name);
const char *zargs_getx (zargs_t *self, const char *name, ...);
bool zargs_has (zargs_t *self, const char *name);
bool zargs_hasx (zargs_t *self, const char *name, ...);
void zargs_print (zargs_t *self);
void zargs_test (bool verbose);

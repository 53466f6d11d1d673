/* zproc: child processes */

/* draft */
zproc_t *zproc_new (void);
void zproc_destroy (zproc_t **self_p);
zlist_t *zproc_args (zproc_t *self);
void zproc_set_args (zproc_t *self, zlist_t **arguments);
void zproc_set_argsx (zproc_t *self, const char *arguments, ...);
void zproc_set_env (zproc_t *self, zhash_t **arguments);
void zproc_set_stdin (zproc_t *self, void *socket);
void zproc_set_stdout (zproc_t *self, void *socket);
void zproc_set_stderr (zproc_t *self, void *socket);
void *zproc_stdin (zproc_t *self);
void *zproc_stdout (zproc_t *self);
void *zproc_stderr (zproc_t *self);
int zproc_run (zproc_t *self);
int zproc_returncode (zproc_t *self);
int zproc_pid (zproc_t *self);
bool zproc_running (zproc_t *self);
int zproc_wait (zproc_t *self, int timeout);
void zproc_shutdown (zproc_t *self, int timeout);
void *zproc_actor (zproc_t *self);
void zproc_kill (zproc_t *self, int signal);
void zproc_set_verbose (zproc_t *self, bool verbose);
void zproc_test (bool verbose);

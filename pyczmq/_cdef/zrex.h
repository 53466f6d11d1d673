/* zrex: regular expressions */

zrex_t *zrex_new (const char *expression);
void zrex_destroy (zrex_t **self_p);
bool zrex_valid (zrex_t *self);
const char *zrex_strerror (zrex_t *self);
bool zrex_matches (zrex_t *self, const char *text);
bool zrex_eq (zrex_t *self, const char *text, const char *expression);
int zrex_hits (zrex_t *self);
const char *zrex_hit (zrex_t *self, unsigned int index);
int zrex_fetch (zrex_t *self, const char **string_p, ...);
void zrex_test (bool verbose);

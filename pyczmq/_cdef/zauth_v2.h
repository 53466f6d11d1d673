/* zauth_v2: authentication in a context */

/* retired */
zauth_t *zauth_new (zctx_t *ctx);
void zauth_allow (zauth_t *self, const char *address);
void zauth_deny (zauth_t *self, const char *address);
void zauth_configure_plain (zauth_t *self, const char *domain, const char *filename);
void zauth_configure_curve (zauth_t *self, const char *domain, const char *location);
void zauth_configure_gssapi (zauth_t *self, char *domain);
void zauth_set_verbose (zauth_t *self, bool verbose);
void zauth_destroy (zauth_t **self_p);

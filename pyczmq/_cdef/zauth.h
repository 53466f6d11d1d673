/* zauth: the authentication actor: addresses, PLAIN, CURVE, GSSAPI */

void zauth (zsock_t *pipe, void *certstore);
void zauth_test (bool verbose);

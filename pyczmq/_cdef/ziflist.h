/* ziflist: the network interfaces of this machine */

ziflist_t *ziflist_new (void);
void ziflist_destroy (ziflist_t **self_p);
void ziflist_reload (ziflist_t *self);
size_t ziflist_size (ziflist_t *self);
const char *ziflist_first (ziflist_t *self);
const char *ziflist_next (ziflist_t *self);
const char *ziflist_address (ziflist_t *self);
const char *ziflist_broadcast (ziflist_t *self);
const char *ziflist_netmask (ziflist_t *self);
void ziflist_print (ziflist_t *self);
void ziflist_test (bool verbose);

/* draft */
ziflist_t *ziflist_new_ipv6 (void);
void ziflist_reload_ipv6 (ziflist_t *self);
bool ziflist_is_ipv6 (ziflist_t *self);

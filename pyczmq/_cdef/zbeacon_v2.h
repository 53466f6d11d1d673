/* zbeacon_v2: presence and discovery on a local network */

/* retired */
zbeacon_t *zbeacon_new (zctx_t *ctx, int port_nbr);
void zbeacon_destroy (zbeacon_t **self_p);
char *zbeacon_hostname (zbeacon_t *self);
void zbeacon_set_interval (zbeacon_t *self, int interval);
void zbeacon_noecho (zbeacon_t *self);
void zbeacon_publish (zbeacon_t *self, byte *transmit, size_t size);
void zbeacon_silence (zbeacon_t *self);
void zbeacon_subscribe (zbeacon_t *self, byte *filter, size_t size);
void zbeacon_unsubscribe (zbeacon_t *self);
void *zbeacon_socket (zbeacon_t *self);

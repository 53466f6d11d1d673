/* zctx: contexts */

/* retired */
zctx_t *zctx_new (void);
void zctx_destroy (zctx_t **self_p);
zctx_t *zctx_shadow (zctx_t *self);
zctx_t *zctx_shadow_zmq_ctx (void *zmqctx);
void zctx_set_iothreads (zctx_t *self, int iothreads);
void zctx_set_linger (zctx_t *self, int linger);
void zctx_set_pipehwm (zctx_t *self, int pipehwm);
void zctx_set_sndhwm (zctx_t *self, int sndhwm);
void zctx_set_rcvhwm (zctx_t *self, int rcvhwm);
void *zctx_underlying (zctx_t *self);

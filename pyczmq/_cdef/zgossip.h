/* zgossip: the gossip actor: decentralised configuration */

void zgossip (zsock_t *pipe, void *args);
void zgossip_test (bool verbose);

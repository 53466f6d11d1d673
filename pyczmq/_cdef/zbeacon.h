/* zbeacon: the beacon actor: presence and discovery on a local network */

void zbeacon (zsock_t *pipe, void *unused);
void zbeacon_test (bool verbose);

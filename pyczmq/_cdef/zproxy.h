/* zproxy: the actor that relays between two sockets */

void zproxy (zsock_t *pipe, void *unused);
void zproxy_test (bool verbose);

/* What a child costs that is only there: says so, and waits until nobody holds the other end. */
#include <unistd.h>
int main(void) {
    char byte = '.';
    if (write(1, &byte, 1) != 1) return 1;
    return read(0, &byte, 1) != 0;
}

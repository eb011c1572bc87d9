/* What a program costs that does nothing and is linked statically against the C library. */
int main(void) { return 0; }

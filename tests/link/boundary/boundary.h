#include <stdint.h>
int32_t sds_boundary(int32_t panic);

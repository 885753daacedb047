#include "gateway/simulator/partner.h"

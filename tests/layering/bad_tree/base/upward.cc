#include "as2/mic.h"

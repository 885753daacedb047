// A PKCS#11 module in front of SoftHSM's that fails when a test says so. The test sets signet_break: the name
// of a function, what it is to give, and how often.

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <cstring>

#include "tests/support/breaking_module.h"

extern "C" {

signet::test::Break signet_break;

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list);
}

namespace {

CK_FUNCTION_LIST* behind = nullptr;
CK_FUNCTION_LIST front;

bool breaks(const char* function) {
  if (signet_break.times == 0 || std::strcmp(signet_break.function, function) != 0) return false;
  --signet_break.times;
  return true;
}

CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void* application, CK_NOTIFY notify,
                   CK_SESSION_HANDLE* session) {
  if (breaks("C_OpenSession")) return signet_break.value;
  return behind->C_OpenSession(slot, flags, application, notify, session);
}

CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM* mechanism, CK_OBJECT_HANDLE key) {
  if (breaks("C_SignInit")) return signet_break.value;
  return behind->C_SignInit(session, mechanism, key);
}

CK_RV decrypt(CK_SESSION_HANDLE session, CK_BYTE* in, CK_ULONG in_size, CK_BYTE* out, CK_ULONG* out_size) {
  if (!breaks("C_Decrypt")) return behind->C_Decrypt(session, in, in_size, out, out_size);
  behind->C_Decrypt(session, in, in_size, out, out_size);  // so that nothing is left half done
  return signet_break.value;
}

CK_RV destroy_object(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object) {
  if (breaks("C_DestroyObject")) return signet_break.value;
  return behind->C_DestroyObject(session, object);
}

CK_RV log_in(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE* pin, CK_ULONG size) {
  ++signet_break.log_ins;
  return behind->C_Login(session, user, pin, size);
}

}  // namespace

CK_RV C_GetFunctionList(CK_FUNCTION_LIST** list) {
  if (behind == nullptr) {
    void* const module = dlopen("/usr/lib/softhsm/libsofthsm2.so", RTLD_NOW | RTLD_LOCAL);
    if (module == nullptr) return CKR_GENERAL_ERROR;
    const auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(module, "C_GetFunctionList"));
    if (get == nullptr || get(&behind) != CKR_OK) return CKR_GENERAL_ERROR;
    front = *behind;
    front.C_GetFunctionList = C_GetFunctionList;
    front.C_OpenSession = open_session;
    front.C_SignInit = sign_init;
    front.C_Decrypt = decrypt;
    front.C_DestroyObject = destroy_object;
    front.C_Login = log_in;
  }
  *list = &front;
  return CKR_OK;
}

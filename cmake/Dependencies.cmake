# Everything comes from Debian's packages; README.md says what each is for.

find_package(OpenSSL 3.0 REQUIRED)
find_package(Threads REQUIRED)
find_package(ZLIB REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(pugixml REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(SQLiteCpp REQUIRED)
find_package(CURL REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(P11Kit REQUIRED IMPORTED_TARGET p11-kit-1)

# Its pkg-config file asks for jansson's headers, which its own do without.
find_path(CJOSE_INCLUDE_DIR cjose/jws.h REQUIRED)
find_library(CJOSE_LIBRARY cjose REQUIRED)
add_library(cjose::cjose UNKNOWN IMPORTED)
set_target_properties(cjose::cjose PROPERTIES
  IMPORTED_LOCATION "${CJOSE_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CJOSE_INCLUDE_DIR}")

if(SIGNET_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

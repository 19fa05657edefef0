# The library tflite_micro: the interpreter, its kernels, and what they are built from.
#
# TFLITE_MICRO_LIBRARY names a library that was built already, for instance by the makefile of
# tflite-micro; then only headers are taken from TFLITE_MICRO_DIR.
include(FetchContent)

set(TFLITE_MICRO_DIR "" CACHE PATH "A checkout of tflite-micro")
set(TFLITE_MICRO_LIBRARY "" CACHE FILEPATH "A library that was built from it, if there is one")

# A folder of sources: where it was given, else a pinned commit of a repository.
function(tinyflow_sources result name given repository commit)
    if(given)
        get_filename_component(folder ${given} ABSOLUTE BASE_DIR ${CMAKE_BINARY_DIR})
    else()
        # The repository's own CMakeLists.txt is not wanted, so that a folder is named without one.
        FetchContent_Declare(${name} GIT_REPOSITORY https://github.com/${repository}.git
            GIT_TAG ${commit} SOURCE_SUBDIR no_cmake)
        FetchContent_MakeAvailable(${name})
        set(folder ${${name}_SOURCE_DIR})
    endif()
    set(${result} ${folder} PARENT_SCOPE)
endfunction()

tinyflow_sources(tflm tflite_micro "${TFLITE_MICRO_DIR}" tensorflow/tflite-micro 90b983c2)
if(NOT IS_DIRECTORY ${tflm}/tensorflow/lite/micro)
    message(FATAL_ERROR "TFLITE_MICRO_DIR=${tflm} is no checkout of tflite-micro")
endif()

# What every file is compiled with that sees a header of the interpreter.
add_library(tflite_micro_headers INTERFACE)
target_include_directories(tflite_micro_headers SYSTEM INTERFACE ${tflm})
target_compile_definitions(tflite_micro_headers INTERFACE
    TF_LITE_STATIC_MEMORY TF_LITE_DISABLE_X86_NEON FLATBUFFERS_LOCALE_INDEPENDENT=0 ${definitions})
target_compile_options(tflite_micro_headers INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>
    $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>
    $<$<COMPILE_LANGUAGE:CXX>:-fno-threadsafe-statics>)
if(TINYFLOW_FIRMWARE)
    # A board has no console for the interpreter's messages.
    target_compile_definitions(tflite_micro_headers INTERFACE NDEBUG TF_LITE_STRIP_ERROR_STRINGS)
else()
    target_compile_definitions(tflite_micro_headers INTERFACE TF_LITE_USE_CTIME)
endif()

# Headers of others. They lie in the checkout once its makefile has downloaded them
# (third_party_downloads), and in a tree that its project generator has made.
function(tinyflow_headers name folder header repository commit)
    set(given "")
    foreach(place tensorflow/lite/micro/tools/make/downloads third_party)
        if(EXISTS ${tflm}/${place}/${name}/${folder}/${header})
            set(given ${tflm}/${place}/${name})
        endif()
    endforeach()
    tinyflow_sources(sources tflm_${name} "${given}" ${repository} ${commit})
    target_include_directories(tflite_micro_headers SYSTEM INTERFACE ${sources}/${folder})
endfunction()

tinyflow_headers(flatbuffers include flatbuffers/flexbuffers.h google/flatbuffers v25.9.23)
tinyflow_headers(gemmlowp . fixedpoint/fixedpoint.h google/gemmlowp
    719139ce755a0f31cbf1c37f7f98adcc7fc9f425)
tinyflow_headers(ruy . ruy/profiler/instrumentation.h google/ruy
    d37128311b445e758136b8602d1bbd2a755e115d)

if(TFLITE_MICRO_LIBRARY)
    add_library(tflite_micro INTERFACE)
    target_link_libraries(tflite_micro INTERFACE tflite_micro_headers ${TFLITE_MICRO_LIBRARY})
    return()
endif()

# Folders that a release does not have add nothing.
set(micro ${tflm}/tensorflow/lite/micro)
file(GLOB tflm_sources
    ${micro}/*.cc ${micro}/arena_allocator/*.cc ${micro}/c/*.cc ${micro}/kernels/*.cc
    ${micro}/memory_planner/*.cc ${micro}/tflite_bridge/*.cc)
file(GLOB_RECURSE tflm_shared
    ${tflm}/tensorflow/compiler/*.cc ${tflm}/tensorflow/lite/c/*.cc
    ${tflm}/tensorflow/lite/core/*.cc ${tflm}/tensorflow/lite/kernels/*.cc
    ${micro}/core/*.cc ${micro}/kernels/internal/*.cc)
list(APPEND tflm_sources ${tflm_shared})
list(FILTER tflm_sources EXCLUDE REGEX "_test\\.cc$")
set(tflm_test_files fake_micro_context kernel_runner mock_micro_graph test_helper_custom_ops
    test_helpers)
foreach(name ${tflm_test_files})
    list(FILTER tflm_sources EXCLUDE REGEX "/${name}\\.cc$")
endforeach()

add_library(tflite_micro STATIC ${tflm_sources})
set_target_properties(tflite_micro PROPERTIES C_STANDARD 11)
target_link_libraries(tflite_micro PUBLIC tflite_micro_headers)
target_compile_options(tflite_micro PRIVATE
    -w -ffunction-sections -fdata-sections -ffile-prefix-map=${tflm}/= ${optimize})

option(TINYFLOW_CMSIS_NN "Use the kernels of CMSIS-NN" ${TINYFLOW_FIRMWARE})
if(TINYFLOW_CMSIS_NN)
    include(${CMAKE_CURRENT_LIST_DIR}/cmsis_nn.cmake)
endif()

# Puts the kernels of CMSIS-NN in the place of those plain ones that they replace.
set(CMSIS_NN_DIR "" CACHE PATH "A checkout of CMSIS-NN")

tinyflow_sources(cmsis_nn cmsis_nn "${CMSIS_NN_DIR}" ARM-software/CMSIS-NN
    4ab83cc3cc98fb85ed6dafb55e8ca02f1628dcae)
if(NOT EXISTS ${cmsis_nn}/Include/arm_nnfunctions.h)
    message(FATAL_ERROR "CMSIS_NN_DIR=${cmsis_nn} is no checkout of CMSIS-NN")
endif()

file(GLOB fast_kernels ${micro}/kernels/cmsis_nn/*.cc)
get_target_property(kept tflite_micro SOURCES)
foreach(kernel ${fast_kernels})
    get_filename_component(name ${kernel} NAME)
    list(REMOVE_ITEM kept ${micro}/kernels/${name})
endforeach()
set_target_properties(tflite_micro PROPERTIES SOURCES "${kept};${fast_kernels}")

# The integer functions only.
file(GLOB_RECURSE cmsis_nn_sources ${cmsis_nn}/Source/*.c)
list(FILTER cmsis_nn_sources EXCLUDE REGEX "_(f16|f32|flt)\\.c$")
target_sources(tflite_micro PRIVATE ${cmsis_nn_sources})

# CMSIS_NN decides in headers of the interpreter which functions its kernels declare.
target_compile_definitions(tflite_micro_headers INTERFACE
    CMSIS_NN ARM_NN_ENABLE_F16=0 ARM_NN_ENABLE_F32=0)
target_include_directories(tflite_micro_headers SYSTEM INTERFACE ${cmsis_nn} ${cmsis_nn}/Include)

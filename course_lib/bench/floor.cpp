// What one core can do: multiply-adds in registers, and reading an array again and again.
#include <cstddef>
#include <cstdlib>

#if defined(__AVX512F__)
constexpr int BYTES = 64;
#elif defined(__AVX__)
constexpr int BYTES = 32;
#else
constexpr int BYTES = 16;
#endif
typedef float vec __attribute__((vector_size(BYTES)));
constexpr int LANES = BYTES / sizeof(float);
constexpr int CHAINS = 10;  // 2 a cycle of latency 4 need 8; the 16 registers of AVX2 hold no more than 13 and a, b

// Runs that many multiply-adds in each of CHAINS independent chains of vectors; returns the operations, two each.
extern "C" double floor_multiply_add(long times, float* sink) {
    vec chain[CHAINS], a, b;
    a = vec{} + 0.999f + *sink * 0.0f;  // the compiler cannot know *sink
    b = vec{} + 0.001f + *sink * 0.0f;
#pragma GCC unroll 16
    for (int k = 0; k < CHAINS; ++k) chain[k] = b * float(k);
    for (long n = 0; n < times; ++n) {
#pragma GCC unroll 16
        for (int k = 0; k < CHAINS; ++k) chain[k] = chain[k] * a + b;
    }
    vec sum = chain[0];
    for (int k = 1; k < CHAINS; ++k) sum += chain[k];
    for (int lane = 0; lane < LANES; ++lane) *sink += sum[lane];
    return 2.0 * times * CHAINS * LANES;
}

// An array of at least that many bytes, filled, on a border of a cache line, in whole rows of eight vectors.
extern "C" float* floor_array(size_t bytes) {
    const size_t row = 8 * BYTES, whole = (bytes + row - 1) / row * row;
    float* array = static_cast<float*>(std::aligned_alloc(64, (whole + 63) / 64 * 64));
    for (size_t n = 0; array && n < whole / sizeof(float); ++n) array[n] = 1.0f;
    return array;
}

extern "C" void floor_free(float* array) { std::free(array); }

// Adds up the array that many times; returns the bytes that were read.
extern "C" double floor_read(const float* array, size_t bytes, long times, float* sink) {
    const size_t rows = (bytes + 8 * BYTES - 1) / (8 * BYTES);
    vec sum[8] = {};
    for (long n = 0; n < times; ++n) {
        const vec* at = reinterpret_cast<const vec*>(array);
        for (size_t row = 0; row < rows; ++row, at += 8) {
#pragma GCC unroll 8
            for (int k = 0; k < 8; ++k) sum[k] += at[k];
        }
        asm volatile("" ::: "memory");  // each time anew
    }
    for (int k = 0; k < 8; ++k)
        for (int lane = 0; lane < LANES; ++lane) *sink += sum[k][lane];
    return double(rows) * 8 * BYTES * times;
}

/* A cryptographic device after GM/T 0018 for tests: the calls that a keeper needs, with SM4 of libcrypto. Strict where real devices
 * are strict or worse: handles are checked, buffers must be long enough, the vector is overwritten, nothing may be left open. */
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SDR_OK 0
#define SDR_OPENDEVICE 0x01000005
#define SDR_KEYNOTEXIST 0x01000008
#define SDR_ALGNOTSUPPORT 0x01000009
#define SDR_STEPERR 0x01000010
#define SDR_KEYERR 0x01000015
#define SDR_NOBUFFER 0x0100001C
#define SDR_INARGERR 0x0100001D
#define SGD_SM4_ECB 0x00000401u
#define SGD_SM4_CBC 0x00000402u
enum { DEVICE = 0x44455649, SESSION = 0x53455353, KEY = 0x4b455921 };

typedef struct handle {
    int kind, open;
    struct handle *parent;
    unsigned char key[16];
} handle;

static const char *folder(void) { return getenv("LIANDUN_TEST_SDF"); }

static void note(const char *call) {
    char name[512];
    snprintf(name, sizeof name, "%s/calls", folder() ? folder() : "/nowhere");
    FILE *log = fopen(name, "a");
    if (log) { fprintf(log, "%s\n", call); fclose(log); }
}

static handle *make(int kind, handle *parent) {
    handle *made = calloc(1, sizeof *made);
    made->kind = kind;
    made->parent = parent;
    if (parent) parent->open++;
    return made;
}

static int is(void *h, int kind) { return h && ((handle *)h)->kind == kind; }

static int drop(void *h, int kind) {
    handle *gone = h;
    if (!is(h, kind)) return SDR_INARGERR;
    if (gone->open) { note("LEAK"); return SDR_STEPERR; }
    if (gone->parent) gone->parent->open--;
    memset(gone, 0, sizeof *gone);
    free(gone);
    return SDR_OK;
}

static int kek(unsigned int number, unsigned char out[16]) {
    char name[512];
    snprintf(name, sizeof name, "%s/kek%u", folder(), number);
    FILE *file = fopen(name, "rb");
    if (!file) return SDR_KEYNOTEXIST;
    size_t got = fread(out, 1, 16, file);
    fclose(file);
    return got == 16 ? SDR_OK : SDR_KEYERR;
}

static int sm4(const EVP_CIPHER *mode, int encrypt, const unsigned char *key, const unsigned char *iv, const unsigned char *in,
               unsigned int length, unsigned char *out) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0, rest = 0;
    int good = context && EVP_CipherInit_ex(context, mode, NULL, key, iv, encrypt) && EVP_CIPHER_CTX_set_padding(context, 0) &&
               EVP_CipherUpdate(context, out, &done, in, (int)length) && EVP_CipherFinal_ex(context, out + done, &rest);
    EVP_CIPHER_CTX_free(context);
    return good ? SDR_OK : SDR_KEYERR;
}

int SDF_OpenDevice(void **phDeviceHandle) {
    note("SDF_OpenDevice");
    if (!folder()) return SDR_OPENDEVICE;
    *phDeviceHandle = make(DEVICE, NULL);
    return SDR_OK;
}

int SDF_CloseDevice(void *hDeviceHandle) { note("SDF_CloseDevice"); return drop(hDeviceHandle, DEVICE); }

int SDF_OpenSession(void *hDeviceHandle, void **phSessionHandle) {
    note("SDF_OpenSession");
    if (!is(hDeviceHandle, DEVICE)) return SDR_INARGERR;
    *phSessionHandle = make(SESSION, hDeviceHandle);
    return SDR_OK;
}

int SDF_CloseSession(void *hSessionHandle) { note("SDF_CloseSession"); return drop(hSessionHandle, SESSION); }

int SDF_GenerateKeyWithKEK(void *hSessionHandle, unsigned int uiKeyBits, unsigned int uiAlgID, unsigned int uiKEKIndex,
                           unsigned char *pucKey, unsigned int *puiKeyLength, void **phKeyHandle) {
    unsigned char wrapping[16];
    note("SDF_GenerateKeyWithKEK");
    if (!is(hSessionHandle, SESSION) || uiKeyBits != 128) return SDR_INARGERR;
    if (uiAlgID != SGD_SM4_ECB) return SDR_ALGNOTSUPPORT;
    if (*puiKeyLength < 16) return SDR_NOBUFFER;
    int code = kek(uiKEKIndex, wrapping);
    if (code) return code;
    handle *key = make(KEY, hSessionHandle);
    RAND_bytes(key->key, 16);
    *puiKeyLength = 16;
    *phKeyHandle = key;
    return sm4(EVP_sm4_ecb(), 1, wrapping, NULL, key->key, 16, pucKey);
}

int SDF_ImportKeyWithKEK(void *hSessionHandle, unsigned int uiAlgID, unsigned int uiKEKIndex, unsigned char *pucKey,
                         unsigned int uiKeyLength, void **phKeyHandle) {
    unsigned char wrapping[16];
    note("SDF_ImportKeyWithKEK");
    if (!is(hSessionHandle, SESSION) || uiKeyLength != 16) return SDR_INARGERR;
    if (uiAlgID != SGD_SM4_ECB) return SDR_ALGNOTSUPPORT;
    int code = kek(uiKEKIndex, wrapping);
    if (code) return code;
    handle *key = make(KEY, hSessionHandle);
    *phKeyHandle = key;
    return sm4(EVP_sm4_ecb(), 0, wrapping, NULL, pucKey, 16, key->key);
}

int SDF_DestroyKey(void *hSessionHandle, void *hKeyHandle) {
    note("SDF_DestroyKey");
    return is(hSessionHandle, SESSION) ? drop(hKeyHandle, KEY) : SDR_INARGERR;
}

static int crypt(int encrypt, void *session, void *key, unsigned int algorithm, unsigned char *iv, unsigned char *in,
                 unsigned int length, unsigned char *out, unsigned int *room) {
    if (!is(session, SESSION) || !is(key, KEY) || ((handle *)key)->parent != session || length % 16) return SDR_INARGERR;
    if (algorithm != SGD_SM4_CBC) return SDR_ALGNOTSUPPORT;
    if (*room < length) return SDR_NOBUFFER;
    int code = sm4(EVP_sm4_cbc(), encrypt, ((handle *)key)->key, iv, in, length, out);
    *room = length;
    memset(iv, 0xee, 16); /* real devices leave the next vector here */
    return code;
}

int SDF_Encrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV, unsigned char *pucData,
                unsigned int uiDataLength, unsigned char *pucEncData, unsigned int *puiEncDataLength) {
    note("SDF_Encrypt");
    return crypt(1, hSessionHandle, hKeyHandle, uiAlgID, pucIV, pucData, uiDataLength, pucEncData, puiEncDataLength);
}

int SDF_Decrypt(void *hSessionHandle, void *hKeyHandle, unsigned int uiAlgID, unsigned char *pucIV, unsigned char *pucEncData,
                unsigned int uiEncDataLength, unsigned char *pucData, unsigned int *puiDataLength) {
    note("SDF_Decrypt");
    return crypt(0, hSessionHandle, hKeyHandle, uiAlgID, pucIV, pucEncData, uiEncDataLength, pucData, puiDataLength);
}

package main

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"os"
	"syscall"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// cpu is the processor time of this process in seconds.
func cpu() float64 {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Sec+usage.Stime.Sec) + float64(usage.Utime.Usec+usage.Stime.Usec)/1e6
}

// rate runs the operation for a second of processor time and gives how often per second.
func rate(operation func()) float64 {
	start, count := cpu(), 0
	for {
		for range 8 {
			operation()
		}
		count += 8
		if spent := cpu() - start; spent >= 1 {
			return float64(count) / spent
		}
	}
}

func bench() {
	key, err := sm2.GenerateKey(rand.Reader)
	fail(err)
	message := make([]byte, 64)
	signature, err := key.SignWithSM2(rand.Reader, nil, message)
	fail(err)
	ciphertext, err := sm2.EncryptASN1(rand.Reader, &key.PublicKey, message)
	fail(err)
	block, err := sm4.NewCipher(make([]byte, 16))
	fail(err)
	mode, err := cipher.NewGCM(block)
	fail(err)
	large, nonce := make([]byte, 1<<20), make([]byte, 12)
	buffer := make([]byte, 0, 1<<20+16)
	fail(json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"SM2 sign":          rate(func() { _, _ = key.SignWithSM2(rand.Reader, nil, message) }),
		"SM2 verify":        rate(func() { sm2.VerifyASN1WithSM2(&key.PublicKey, nil, message, signature) }),
		"SM2 encrypt":       rate(func() { _, _ = sm2.EncryptASN1(rand.Reader, &key.PublicKey, message) }),
		"SM2 decrypt":       rate(func() { _, _ = sm2.Decrypt(key, ciphertext) }),
		"SM3 1 MB":          rate(func() { sm3.Sum(large) }) * (1 << 20) / 1e6,
		"SM4-GCM 1 MB seal": rate(func() { mode.Seal(buffer[:0], nonce, large, nil) }) * (1 << 20) / 1e6,
	}))
}

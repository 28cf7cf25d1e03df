// A peer for the tests: one JSON request per line on standard input, one JSON answer per line on standard output.
// It does with github.com/emmansun/gmsm (pinned in go.mod) what the platform's crypto package does.
// With the argument "bench" it prints operations per second instead, for benchmarks/crypto.py.
package main

import (
	"bufio"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	smcipher "github.com/emmansun/gmsm/cipher"
	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/pkcs"
	"github.com/emmansun/gmsm/pkcs8"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
	"github.com/emmansun/gmsm/smx509"
)

// Request names the operation; all byte strings are hex.
type Request struct {
	Op, Key, Public, Ident, Message, Signature, Ciphertext, Form, Password, Scheme, Nonce, Aad string
	PeerPublic, Ephemeral, PeerEphemeral, PeerIdent                                            string
	Responder                                                                                  bool
	Size                                                                                       int
}

type answer struct {
	Ok    bool   `json:"ok"`
	Out   string `json:"out"`
	Error string `json:"error"`
}

var operations = map[string]func(Request) ([]byte, error){
	"generate": generate, "public": public, "sign": sign, "verify": verify, "encrypt": encrypt, "decrypt": decrypt,
	"read-key": readKey, "write-key": writeKey, "read-public": readPublic, "write-public": writePublic,
	"digest": digest, "seal": seal, "open": open, "exchange": exchange,
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "bench" {
		bench()
		return
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<26)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var request Request
		var result []byte
		err := json.Unmarshal(lines.Bytes(), &request)
		if err == nil {
			if operation, known := operations[request.Op]; known {
				result, err = operation(request)
			} else {
				err = errors.New("unknown operation")
			}
		}
		reply := answer{Ok: err == nil, Out: hex.EncodeToString(result)}
		if err != nil {
			reply.Error = err.Error()
		}
		if out.Encode(reply) != nil {
			return
		}
	}
}

func octets(text string) []byte {
	value, err := hex.DecodeString(text)
	if err != nil {
		panic(err)
	}
	return value
}

func private(r Request) (*sm2.PrivateKey, error)    { return sm2.NewPrivateKey(octets(r.Key)) }
func publicKey(r Request) (*ecdsa.PublicKey, error) { return sm2.NewPublicKey(octets(r.Public)) }

func scalar(key *sm2.PrivateKey) []byte { return key.D.FillBytes(make([]byte, 32)) }

func point(key *ecdsa.PublicKey) []byte {
	out := make([]byte, 65)
	out[0] = 4
	key.X.FillBytes(out[1:33])
	key.Y.FillBytes(out[33:])
	return out
}

func generate(Request) ([]byte, error) {
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return scalar(key), nil
}

func public(r Request) ([]byte, error) {
	key, err := private(r)
	if err != nil {
		return nil, err
	}
	return point(&key.PublicKey), nil
}

func sign(r Request) ([]byte, error) {
	key, err := private(r)
	if err != nil {
		return nil, err
	}
	return key.SignWithSM2(rand.Reader, octets(r.Ident), octets(r.Message))
}

func verify(r Request) ([]byte, error) {
	key, err := publicKey(r)
	if err != nil {
		return nil, err
	}
	if !sm2.VerifyASN1WithSM2(key, octets(r.Ident), octets(r.Message), octets(r.Signature)) {
		return nil, errors.New("bad signature")
	}
	return nil, nil
}

func encrypt(r Request) ([]byte, error) {
	key, err := publicKey(r)
	if err != nil {
		return nil, err
	}
	switch r.Form {
	case "der":
		return sm2.EncryptASN1(rand.Reader, key, octets(r.Message))
	case "c1c3c2":
		return sm2.Encrypt(rand.Reader, key, octets(r.Message), sm2.NewPlainEncrypterOpts(sm2.MarshalUncompressed, sm2.C1C3C2))
	case "c1c3c2-compressed":
		return sm2.Encrypt(rand.Reader, key, octets(r.Message), sm2.NewPlainEncrypterOpts(sm2.MarshalCompressed, sm2.C1C3C2))
	}
	return sm2.Encrypt(rand.Reader, key, octets(r.Message), sm2.NewPlainEncrypterOpts(sm2.MarshalUncompressed, sm2.C1C2C3))
}

func decrypt(r Request) ([]byte, error) {
	key, err := private(r)
	if err != nil {
		return nil, err
	}
	switch r.Form {
	case "der":
		return key.Decrypt(rand.Reader, octets(r.Ciphertext), sm2.ASN1DecrypterOpts)
	case "c1c3c2":
		return key.Decrypt(rand.Reader, octets(r.Ciphertext), sm2.NewPlainDecrypterOpts(sm2.C1C3C2))
	}
	return key.Decrypt(rand.Reader, octets(r.Ciphertext), sm2.NewPlainDecrypterOpts(sm2.C1C2C3))
}

func readKey(r Request) ([]byte, error) {
	key, err := pkcs8.ParsePKCS8PrivateKeySM2(octets(r.Key), []byte(r.Password))
	if err != nil {
		return nil, err
	}
	return scalar(key), nil
}

func writeKey(r Request) ([]byte, error) {
	key, err := private(r)
	if err != nil {
		return nil, err
	}
	if r.Scheme == "plain" {
		return smx509.MarshalPKCS8PrivateKey(key)
	}
	schemes := map[string]pkcs.PBESEncrypter{
		"pbes2-sm3":    pkcs.NewPBESEncrypter(pkcs.SM4CBC, pkcs.NewPBKDF2Opts(pkcs.SM3, 16, 10000)),
		"pbes2-sm4":    pkcs.NewPBESEncrypter(pkcs.SM4CBC, pkcs.NewPBKDF2Opts(pkcs.SHA256, 8, 10000)),
		"pbes2-sha256": pkcs.NewPBESEncrypter(pkcs.AES256CBC, pkcs.NewPBKDF2Opts(pkcs.SHA256, 16, 10000)),
		"aes128-sha1":  pkcs.NewPBESEncrypter(pkcs.AES128CBC, pkcs.NewPBKDF2Opts(pkcs.SHA1, 16, 10000)),
		"gmt0091":      pkcs.NewSMPBESEncrypter(16, 10000),
	}
	return pkcs8.MarshalPrivateKey(key, []byte(r.Password), schemes[r.Scheme])
}

func readPublic(r Request) ([]byte, error) {
	key, err := smx509.ParsePKIXPublicKey(octets(r.Public))
	if err != nil {
		return nil, err
	}
	return point(key.(*ecdsa.PublicKey)), nil
}

func writePublic(r Request) ([]byte, error) {
	key, err := publicKey(r)
	if err != nil {
		return nil, err
	}
	return smx509.MarshalPKIXPublicKey(key)
}

func digest(r Request) ([]byte, error) {
	sum := sm3.Sum(octets(r.Message))
	return sum[:], nil
}

func aead(r Request) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(octets(r.Key))
	if err != nil {
		return nil, err
	}
	if r.Form == "ccm" {
		return smcipher.NewCCM(block)
	}
	return cipher.NewGCM(block)
}

func seal(r Request) ([]byte, error) {
	mode, err := aead(r)
	if err != nil {
		return nil, err
	}
	return mode.Seal(nil, octets(r.Nonce), octets(r.Message), octets(r.Aad)), nil
}

func open(r Request) ([]byte, error) {
	mode, err := aead(r)
	if err != nil {
		return nil, err
	}
	return mode.Open(nil, octets(r.Nonce), octets(r.Ciphertext), octets(r.Aad))
}

func exchange(r Request) ([]byte, error) {
	curve := ecdh.P256()
	own, err := curve.NewPrivateKey(octets(r.Key))
	if err != nil {
		return nil, err
	}
	ephemeral, err := curve.NewPrivateKey(octets(r.Ephemeral))
	if err != nil {
		return nil, err
	}
	peer, err := curve.NewPublicKey(octets(r.PeerPublic))
	if err != nil {
		return nil, err
	}
	peerEphemeral, err := curve.NewPublicKey(octets(r.PeerEphemeral))
	if err != nil {
		return nil, err
	}
	shared, err := own.SM2MQV(ephemeral, peer, peerEphemeral)
	if err != nil {
		return nil, err
	}
	return shared.SM2SharedKey(r.Responder, r.Size, own.PublicKey(), peer, octets(r.Ident), octets(r.PeerIdent))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

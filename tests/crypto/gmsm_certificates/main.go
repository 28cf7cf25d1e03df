// A peer for the tests: certificates and GB/T 35275 messages with github.com/emmansun/gmsm (pinned in go.mod).
// It works in a folder: "write FOLDER" writes what the platform then reads, "read FOLDER" reads what the platform wrote.
// Files: root.pem, sign.pem, sign.key, enc.pem, enc.key (PKCS#8); content; shared.key (16 bytes); the messages *.der. It ends with 1 at the first fault.
package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/emmansun/gmsm/cfca"
	"github.com/emmansun/gmsm/pkcs"
	"github.com/emmansun/gmsm/pkcs7"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"
)

var folder string

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func load(name string) []byte { return must(os.ReadFile(filepath.Join(folder, name))) }

func save(name string, octets []byte) { check(os.WriteFile(filepath.Join(folder, name), octets, 0o600)) }

func unarmour(name string) []byte {
	block, _ := pem.Decode(load(name))
	if block == nil {
		panic(name + " is no PEM")
	}
	return block.Bytes
}

func certificate(name string) *smx509.Certificate { return must(smx509.ParseCertificate(unarmour(name))) }

func key(name string) *sm2.PrivateKey { return must(smx509.ParsePKCS8PrivateKey(unarmour(name))).(*sm2.PrivateKey) }

func equal(what string, octets []byte) {
	if !bytes.Equal(octets, load("content")) {
		panic(what + ": another content")
	}
}

func read() {
	roots, between := smx509.NewCertPool(), smx509.NewCertPool()
	roots.AddCert(certificate("root.pem"))
	between.AddCert(certificate("sub.pem"))
	usages := []smx509.ExtKeyUsage{smx509.ExtKeyUsageAny}
	must(certificate("sign.pem").Verify(smx509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: usages}))
	must(certificate("server.pem").Verify(smx509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: "[2001:db8::7]"}))
	if _, err := certificate("server.pem").Verify(smx509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: "other"}); err == nil {
		panic("took a foreign name")
	}
	check(must(smx509.ParseCertificateRequest(unarmour("request.pem"))).CheckSignature())
	list := must(smx509.ParseRevocationList(unarmour("crl.pem")))
	check(list.CheckSignatureFrom(certificate("sub.pem")))
	if list.RevokedCertificateEntries[0].SerialNumber.Cmp(certificate("server.pem").SerialNumber) != 0 {
		panic("another serial number is revoked")
	}
	if !must(sm2.ParseEnvelopedPrivateKey(key("sign.key"), load("envelopedkey.der"))).Equal(key("enc.key")) {
		panic("another enveloped key")
	}
	for _, name := range []string{"signed.der", "signed-plain.der"} {
		message := must(pkcs7.Parse(load(name)))
		check(message.Verify())
		equal(name, message.Content)
	}
	detached := must(pkcs7.Parse(load("detached.der")))
	detached.Content = load("content")
	check(detached.Verify())
	for _, mode := range []string{"cbc", "gcm"} {
		message := must(pkcs7.Parse(load("enveloped-" + mode + ".der")))
		equal("enveloped "+mode, must(message.Decrypt(certificate("enc.pem"), key("enc.key"))))
		both := must(pkcs7.Parse(load("both-" + mode + ".der")))
		equal("both "+mode, must(both.DecryptAndVerify(certificate("enc.pem"), key("enc.key"), both.Verify)))
		legacy := load("legacy-" + mode + ".der")
		equal("legacy "+mode, must(cfca.OpenEnvelopedMessageLegacy(legacy, certificate("enc.pem"), key("enc.key"))))
		encrypted := must(pkcs7.Parse(load("encrypted-" + mode + ".der")))
		equal("encrypted "+mode, must(encrypted.DecryptUsingPSK(load("shared.key"))))
	}
}

func write() {
	rootKey := must(sm2.GenerateKey(rand.Reader))
	root := &smx509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "gmsm root"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour * 48),
		KeyUsage: smx509.KeyUsageCertSign | smx509.KeyUsageCRLSign,
	}
	issue("root", root, root, rootKey, rootKey)
	root = certificate("root.pem")
	signKey, encKey := must(sm2.GenerateKey(rand.Reader)), must(sm2.GenerateKey(rand.Reader))
	leaf := func(name string, usage smx509.KeyUsage) *smx509.Certificate {
		return &smx509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, KeyUsage: usage,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour * 24), DNSNames: []string{"gmsm.example"},
		}
	}
	issue("sign", leaf("sign", smx509.KeyUsageDigitalSignature), root, signKey, rootKey)
	enc := leaf("enc", smx509.KeyUsageKeyEncipherment)
	enc.SubjectKeyId = []byte("key identifier of enc")
	issue("enc", enc, root, encKey, rootKey)
	request := &smx509.CertificateRequest{Subject: pkix.Name{CommonName: "asks"}, DNSNames: []string{"asks.example"}}
	save("request.der", must(smx509.CreateCertificateRequest(rand.Reader, request, signKey)))
	list := &smx509.RevocationList{
		Number: big.NewInt(9), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []smx509.RevocationListEntry{{SerialNumber: big.NewInt(77), RevocationTime: time.Now(), ReasonCode: 1}},
	}
	save("crl.der", must(smx509.CreateRevocationList(rand.Reader, list, root, rootKey)))
	save("envelopedkey.der", must(sm2.MarshalEnvelopedPrivateKey(rand.Reader, &signKey.PublicKey, encKey)))
	content, signer, reader := load("content"), certificate("sign.pem"), []*smx509.Certificate{certificate("enc.pem")}
	signed := must(pkcs7.NewSMSignedData(content))
	check(signed.AddSigner(signer, signKey, pkcs7.SignerInfoConfig{}))
	save("signed.der", must(signed.Finish()))
	signed = must(pkcs7.NewSMSignedData(content))
	check(signed.SignWithoutAttr(signer, signKey, pkcs7.SignerInfoConfig{}))
	save("signed-plain.der", must(signed.Finish()))
	signed = must(pkcs7.NewSMSignedData(content))
	check(signed.AddSigner(signer, signKey, pkcs7.SignerInfoConfig{}))
	signed.Detach()
	save("detached.der", must(signed.Finish()))
	for mode, cipher := range map[string]pkcs.Cipher{"cbc": pkcs.SM4CBC, "gcm": pkcs.SM4GCM} {
		save("enveloped-"+mode+".der", must(pkcs7.EncryptSM(cipher, content, reader)))
		both := must(pkcs7.NewSMSignedAndEnvelopedData(content, cipher))
		check(both.AddSigner(signer, signKey))
		check(both.AddRecipient(reader[0]))
		save("both-"+mode+".der", must(both.Finish()))
		save("encrypted-"+mode+".der", must(pkcs7.EncryptSMUsingPSK(cipher, content, load("shared.key"))))
		save("legacy-"+mode+".der", must(cfca.EnvelopeMessageLegacy(cipher, content, reader)))
		save("cfca-"+mode+".der", must(cfca.EnvelopeMessage(cipher, content, reader)))
	}
}

func issue(name string, template, parent *smx509.Certificate, subject, issuer *sm2.PrivateKey) {
	var public *ecdsa.PublicKey = &subject.PublicKey
	der := must(smx509.CreateCertificate(rand.Reader, template, parent, public, issuer))
	save(name+".pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	save(name+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(smx509.MarshalPKCS8PrivateKey(subject))}))
}

func main() {
	defer func() {
		if fault := recover(); fault != nil {
			fmt.Fprintln(os.Stderr, fault)
			os.Exit(1)
		}
	}()
	if len(os.Args) != 3 {
		panic(errors.New("usage: write|read FOLDER"))
	}
	folder = os.Args[2]
	if os.Args[1] == "write" {
		write()
	} else {
		read()
	}
}

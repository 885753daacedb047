import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.bouncycastle.asn1.cms.AttributeTable;
import org.bouncycastle.asn1.cms.CMSAttributes;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cms.CMSAttributeTableGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.CMSSignedDataParser;
import org.bouncycastle.cms.CMSSignedDataStreamGenerator;
import org.bouncycastle.cms.CMSTypedStream;
import org.bouncycastle.cms.DefaultSignedAttributeTableGenerator;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInformationVerifier;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DefaultAlgorithmNameFinder;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.Store;

/** SignedData, detached or with the content inside, and multipart/signed around it. */
final class Signing {
  private static final String CRLF = "\r\n";
  private static final Map<String, String> MICALG =
      Map.of("sha1", "sha1", "sha256", "sha-256", "sha384", "sha-384", "sha512", "sha-512");

  private Signing() {}

  /**
   * sign in= out= key= cert= [hash=sha256] [scheme=pkcs1|pss|ecdsa] [form=p7s|multipart|opaque]
   * [encoding=der|ber] [certs=yes|no] [attributes=yes|no] [algorithm_protection=yes|no] [sid=issuer|ski]
   * [transfer=base64|binary] [boundary=...]
   */
  static Answer sign(Command command) throws Exception {
    command.allowOnly(
        "in", "out", "key", "cert", "hash", "scheme", "form", "encoding", "certs", "attributes",
        "algorithm_protection", "sid", "transfer", "boundary");
    byte[] content = Files.readAllBytes(command.path("in"));
    String form = command.text("form", "p7s");
    byte[] signed = signedData(command, content, form.equals("opaque"));
    switch (form) {
      case "p7s":
      case "opaque":
        Files.write(command.path("out"), signed);
        break;
      case "multipart":
        writeMultipart(command, content, signed);
        break;
      default:
        throw new IllegalArgumentException("form= takes p7s, multipart or opaque, got '" + form + "'");
    }
    return new Answer().with("size", Files.size(command.path("out")));
  }

  /** verify p7s= cert= [content=] [out=]: without content= the content must be inside, and goes to out=. */
  static Answer verify(Command command) throws Exception {
    command.allowOnly("p7s", "content", "cert", "out");
    X509Certificate certificate = Pem.certificate(command.path("cert"));
    try (InputStream p7s = Files.newInputStream(command.path("p7s"));
        InputStream content =
            command.has("content") ? Files.newInputStream(command.path("content")) : InputStream.nullInputStream()) {
      CMSSignedDataParser parser =
          command.has("content")
              ? new CMSSignedDataParser(
                  new JcaDigestCalculatorProviderBuilder().setProvider("BC").build(),
                  new CMSTypedStream(content),
                  p7s)
              : new CMSSignedDataParser(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build(), p7s);
      CMSTypedStream inside = parser.getSignedContent();
      if (inside == null) {
        throw new CMSException("expected the content inside, found a detached signature; give content=FILE");
      }
      try (OutputStream out =
          command.has("out") ? Files.newOutputStream(command.path("out")) : OutputStream.nullOutputStream()) {
        inside.getContentStream().transferTo(out);
      }
      return describe(parser.getSignerInfos().getSigners(), carried(parser.getCertificates()), certificate);
    }
  }

  /** Verifies every signer with this certificate's key, whatever certificate the message carries. */
  static Answer describe(Collection<SignerInformation> signers, int carriedCertificates, X509Certificate certificate)
      throws Exception {
    if (signers.isEmpty()) {
      throw new CMSException("expected a signer, found none");
    }
    SignerInformationVerifier verifier =
        new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(certificate);
    Answer answer = new Answer().with("signers", signers.size()).with("certs", carriedCertificates);
    for (SignerInformation signer : signers) {
      if (!signer.verify(verifier)) {
        throw new CMSException("the signature does not verify");
      }
      DefaultAlgorithmNameFinder names = new DefaultAlgorithmNameFinder();
      answer
          .with("hash", names.getAlgorithmName(signer.getDigestAlgorithmID().getAlgorithm()))
          .with("signature", names.getAlgorithmName(signer.toASN1Structure().getDigestEncryptionAlgorithm().getAlgorithm()))
          .with("attributes", signer.getSignedAttributes() == null ? "no" : "yes")
          .with("digest", Base64.getEncoder().encodeToString(signer.getContentDigest()));
    }
    return answer;
  }

  /** How many certificates the message carries. */
  static int carried(Store<?> certificates) {
    return certificates.getMatches(null).size();
  }

  private static byte[] signedData(Command command, byte[] content, boolean inside) throws Exception {
    X509Certificate certificate = Pem.certificate(command.path("cert"));
    SignerInfoGenerator signer = signerInfo(command, certificate);
    JcaCertStore carried = new JcaCertStore(List.of(certificate));
    boolean carry = command.flag("certs", true);
    if (command.text("encoding", "der").equals("ber")) {
      CMSSignedDataStreamGenerator generator = new CMSSignedDataStreamGenerator();
      generator.setBufferSize(1000);
      generator.addSignerInfoGenerator(signer);
      if (carry) {
        generator.addCertificates(carried);
      }
      ByteArrayOutputStream made = new ByteArrayOutputStream();
      try (OutputStream out = generator.open(made, inside)) {
        out.write(content);
      }
      return made.toByteArray();
    }
    CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
    generator.addSignerInfoGenerator(signer);
    if (carry) {
      generator.addCertificates(carried);
    }
    CMSSignedData signed = generator.generate(new CMSProcessableByteArray(content), inside);
    return signed.getEncoded("DER");
  }

  private static SignerInfoGenerator signerInfo(Command command, X509Certificate certificate)
      throws IOException, GeneralSecurityException, OperatorCreationException {
    PrivateKey key = Pem.privateKey(command.path("key"));
    JcaSignerInfoGeneratorBuilder builder =
        new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build());
    builder.setDirectSignature(!command.flag("attributes", true));
    if (!command.flag("algorithm_protection", true)) {
      builder.setSignedAttributeGenerator(withoutAlgorithmProtection());
    }
    ContentSigner signer = contentSigner(command, key);
    if (command.text("sid", "issuer").equals("ski")) {
      byte[] ski =
          new JcaX509ExtensionUtils()
              .createSubjectKeyIdentifier(certificate.getPublicKey())
              .getKeyIdentifier();
      return builder.build(signer, ski);
    }
    return builder.build(signer, certificate);
  }

  private static ContentSigner contentSigner(Command command, PrivateKey key) throws OperatorCreationException {
    String hash = command.text("hash", "sha256");
    if (!MICALG.containsKey(hash)) {
      throw new IllegalArgumentException("hash= takes " + MICALG.keySet() + ", got '" + hash + "'");
    }
    String upper = hash.toUpperCase(Locale.ROOT);
    String scheme = command.text("scheme", key.getAlgorithm().startsWith("EC") ? "ecdsa" : "pkcs1");
    switch (scheme) {
      case "pkcs1":
        return new JcaContentSignerBuilder(upper + "withRSA").setProvider("BC").build(key);
      case "ecdsa":
        return new JcaContentSignerBuilder(upper + "withECDSA").setProvider("BC").build(key);
      case "pss":
        return new JcaContentSignerBuilder(upper + "withRSAandMGF1").setProvider("BC").build(key);
      default:
        throw new IllegalArgumentException("scheme= takes pkcs1, pss or ecdsa, got '" + scheme + "'");
    }
  }

  private static CMSAttributeTableGenerator withoutAlgorithmProtection() {
    CMSAttributeTableGenerator usual = new DefaultSignedAttributeTableGenerator();
    return parameters -> {
      AttributeTable table = usual.getAttributes(parameters);
      return table.remove(CMSAttributes.cmsAlgorithmProtect);
    };
  }

  private static void writeMultipart(Command command, byte[] content, byte[] signed) throws IOException {
    String boundary = command.text("boundary", "----BouncyCastlePeer=_1");
    boolean binary = command.text("transfer", "base64").equals("binary");
    String head =
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg="
            + MICALG.get(command.text("hash", "sha256"))
            + "; boundary=\"" + boundary + "\"" + CRLF + CRLF
            + "--" + boundary + CRLF;
    String between =
        CRLF + "--" + boundary + CRLF
            + "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"" + CRLF
            + "Content-Transfer-Encoding: " + (binary ? "binary" : "base64") + CRLF
            + "Content-Disposition: attachment; filename=\"smime.p7s\"" + CRLF + CRLF;
    Path file = command.path("out");
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(head.getBytes(StandardCharsets.US_ASCII));
      out.write(content);
      out.write(between.getBytes(StandardCharsets.US_ASCII));
      out.write(binary ? signed : Base64.getMimeEncoder().encode(signed));
      out.write((CRLF + "--" + boundary + "--" + CRLF).getBytes(StandardCharsets.US_ASCII));
    }
  }
}

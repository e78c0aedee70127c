// The tunnel server of cloud.py's stand-in for Restate Cloud: HTTP/2 with TLS from Restate, HTTP/2 without to a service.
//   node tunnel.mjs ADDRESS PORT CERTIFICATE KEY
// A request's path is /ENVIRONMENT/TUNNEL/SCHEME/HOST/PORT/PATH. It prints a line for each request, with the word "token"
// where one came along that is none of its business.
import { readFileSync } from "node:fs";
import { connect, createSecureServer } from "node:http2";

const [address, port, certificate, key] = process.argv.slice(2);

const plain = (headers) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !name.startsWith(":") && name !== "host"));

function carry(stream, headers) {
  const [, environment, tunnel, scheme, host, to, ...rest] = headers[":path"].split("/");
  console.log(`${environment}/${tunnel} ${host}${headers.authorization ? " token" : ""}`);
  const service = connect(`${scheme}://${host}:${to}`);
  const end = () => {
    stream.destroy();
    service.destroy();
  };
  service.on("error", end);
  const asked = service.request({ ...plain(headers), ":method": headers[":method"], ":path": `/${rest.join("/")}` });
  asked.on("response", (answer) => stream.respond({ ...plain(answer), ":status": answer[":status"] }));
  asked.on("error", end);
  stream.on("error", end);
  asked.on("close", () => service.close());
  stream.on("close", () => service.destroy());
  stream.pipe(asked);
  asked.pipe(stream);
}

const server = createSecureServer({ cert: readFileSync(certificate), key: readFileSync(key) });
server.on("stream", carry);
server.listen(Number(port), address);

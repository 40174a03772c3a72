import { getServerSession } from "next-auth";
import { authOptions } from "./api/auth/[...nextauth].js";

/** Says who is signed in. */
export default function Home({ text }) {
  return <h1>{text}</h1>;
}

export async function getServerSideProps({ req, res }) {
  const session = await getServerSession(req, res, authOptions);
  const name = session?.user?.name ?? "somebody without a name";
  return { props: { text: session ? `Hello, ${name}` : "Nobody is signed in" } };
}

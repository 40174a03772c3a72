import { getServerSession } from "next-auth";
import { authOptions } from "../auth.js";

/** Shows the name of the user. */
export default function Home({ text }) {
  return <h1>{text}</h1>;
}

export async function getServerSideProps({ req, res }) {
  const session = await getServerSession(req, res, authOptions); // with req and res it stores the renewed tokens
  const text = session ? `Hello, ${session.user.name}` : "Nobody is signed in: /api/auth/signin";
  return { props: { text } };
}

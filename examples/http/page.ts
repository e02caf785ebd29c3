// Enqueues a story and shows its words as they come.
export const page = `<!doctype html>
<title>natchet and Hono</title>
<form><input name="about" value="a queue"><button>Tell</button></form>
<p></p>
<script>
  const [form, story] = [document.querySelector("form"), document.querySelector("p")];
  form.onsubmit = async (event) => {
    event.preventDefault();
    story.textContent = "";
    const body = JSON.stringify({ about: form.about.value });
    const { stream } = await (await fetch("/stories", { method: "POST", body })).json();
    const words = new EventSource(stream);
    words.onmessage = ({ data }) => (story.textContent += JSON.parse(data) + " ");
    words.addEventListener("end", () => words.close());
  };
</script>
`;

// The page of a Teams tab: asks Teams for a token by Microsoft's own library, and hands it to our server.
(async () => {
  const page = document.getElementById("teams");
  const failed = document.getElementById("teams-failed");
  try {
    await microsoftTeams.app.initialize();
    const token = await microsoftTeams.authentication.getAuthToken();
    const answer = await fetch(page.dataset.action, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (!answer.ok) {
      const told = await answer.json();
      throw new Error(told.error ? `${told.error.message} ${told.error.remedy}` : String(answer.status));
    }
    microsoftTeams.app.notifySuccess();
    location.replace(page.dataset.next);
  } catch (error) {
    document.getElementById("teams-reason").textContent = error.message || String(error);
    document.getElementById("teams-waiting").hidden = true;
    failed.hidden = false;
  }
})();

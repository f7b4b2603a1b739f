class Token {
    static HttpURLConnection open() throws IOException {
        URL msi = new URL("http://localhost:50342/oauth2/token?resource=https://management.azure.com/");
        HttpURLConnection connection = (HttpURLConnection) msi.openConnection();
        connection.setRequestMethod("GET");
        connection.setRequestProperty("Metadata", "true");
        return connection;
    }
}

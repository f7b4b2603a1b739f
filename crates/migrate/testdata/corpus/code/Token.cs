using System.Net;
using System.Net.Http;

class Token
{
    static WebRequest Query()
    {
        HttpWebRequest request = (HttpWebRequest)WebRequest.Create("http://localhost:50342/oauth2/token/?resource=https://management.azure.com/");
        request.Headers["Metadata"] = "true";
        request.Method = "GET";
        return request;
    }

    static HttpRequestMessage Form(string resource)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "http://localhost:50342/oauth2/token");
        request.Headers.Add("Metadata", "true");
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string> { ["resource"] = resource });
        return request;
    }
}
